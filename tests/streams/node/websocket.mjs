// WebSocket clients of npm's ws: node websocket.mjs COUNT URL... Each sends a message
// every second, and when its connection has closed it opens one to the next URL. Each
// opening and closing is a line of JSON. It ends with its standard input.
import WebSocket from 'ws'

const [count, ...urls] = process.argv.slice(2)

function say(event) {
  process.stdout.write(JSON.stringify(event) + '\n')
}

function connect(at) {
  const socket = new WebSocket(urls[at])
  let opened = false
  let beat
  let echoes = 0
  let error = ''
  socket.on('open', () => {
    opened = true
    say({ kind: 'open', at })
    beat = setInterval(() => socket.readyState === WebSocket.OPEN && socket.send('hello'), 1000)
    socket.send('hello')
  })
  socket.on('message', () => echoes++)
  socket.on('error', (e) => { error = e.code || e.message })
  socket.on('close', (code) => {
    clearInterval(beat)
    if (opened) {
      say({ kind: 'close', at, code, echoes, error })
    }
    setTimeout(connect, 50, (at + 1) % urls.length)
  })
}

for (let i = 0; i < count; i++) {
  connect(i % urls.length)
}
process.stdin.resume().on('end', () => process.exit())
