// Event streams of npm's eventsource: node events.mjs COUNT URL. Each event that comes
// is a line with its data. It ends with its standard input.
import { EventSource } from 'eventsource'

const [count, url] = process.argv.slice(2)
for (let i = 0; i < count; i++) {
  const source = new EventSource(url, {
    fetch: (input, init) => fetch(input, { ...init, headers: { ...init.headers, 'User-Agent': 'eventsource' } }),
  })
  source.onmessage = (event) => process.stdout.write(event.data + '\n')
  source.onerror = (event) => {
    if (source.readyState === EventSource.CLOSED) {
      process.stderr.write(`the stream will not be opened again: ${event.code} ${event.message}\n`)
      process.exit(1)
    }
  }
}
process.stdin.resume().on('end', () => process.exit())
