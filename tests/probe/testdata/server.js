// A server on Node's http: node server.js PORT DELAY_MS ACCOUNT [close]
// With "close" it handles SIGTERM as Node's documentation has it. The account is the
// number of executed requests, which it writes at its end, or with each request.
const http = require('http');
const fs = require('fs');
const [port, delay, account, close] = process.argv.slice(2);
let executed = 0;
const server = http.createServer((req, res) => {
  executed++;
  if (!close) fs.appendFileSync(account, 'x');
  setTimeout(() => res.end('hello'), Number(delay));
});
server.listen(Number(port), '127.0.0.1');
if (close) {
  process.on('SIGTERM', () => server.close(() => {
    fs.appendFileSync(account, 'x'.repeat(executed));
    process.exit(0);
  }));
}
