// A server on Node's http: node server.js PORT DELAY_MS ACCOUNT [close|leave]
// With "close" it handles SIGTERM as Node's documentation has it, with "leave" it also
// lets each later response say `Connection: close`. The account gets a byte for each
// executed request.
const http = require('http');
const fs = require('fs');
const [port, delay, account, how] = process.argv.slice(2);
let stopped = false;
const server = http.createServer((req, res) => {
  fs.appendFileSync(account, 'x');
  setTimeout(() => {
    if (stopped && how === 'leave') res.setHeader('Connection', 'close');
    res.end('hello');
  }, Number(delay));
});
server.listen(Number(port), '127.0.0.1');
if (how) {
  process.on('SIGTERM', () => {
    stopped = true;
    server.close(() => process.exit(0));
  });
}
