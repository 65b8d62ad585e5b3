// Clients of an http.Agent, which is a pool that reuses the last used connection
// first. Each posts in a closed loop, with pauses of 0.2 to 1.5 s.
//
// node agent.js HOST PORT CLIENTS

'use strict';

const http = require('http');

const [host, port, clients] = process.argv.slice(2);
const agent = new http.Agent({keepAlive: true, maxFreeSockets: Number(clients)});
const body = 'x'.repeat(512);
const counts = {connections: 0, requests: 0, answered: 0, lost: 0, refused: 0, losses: {}, failed: 0};
let waiting = Number(clients); // clients that have no answer yet
let running = 0; // requests
let over = false;

function finish() {
	if (over && running === 0) {
		console.log(JSON.stringify(counts));
		process.exit(0);
	}
}

// count counts the end of a request, and lets the client go on.
function count(client, error) {
	running--;
	if (!error) {
		counts.requests++;
		counts.answered++;
		if (client.next++ === 0 && --waiting === 0) {
			console.log('under way');
		}
	} else {
		if (error === 'ECONNREFUSED') {
			counts.refused++;
		} else {
			counts.requests++;
			counts.lost++;
			counts.losses[error] = (counts.losses[error] || 0) + 1;
		}
		counts.failed = counts.failed || Date.now();
	}
	if (over) {
		finish();
	} else {
		setTimeout(post, 200 + 1300 * Math.random(), client);
	}
}

function post(client) {
	if (over) {
		return;
	}
	running++;
	let counted = false;
	const end = error => {
		if (!counted) {
			counted = true;
			count(client, error);
		}
	};
	const name = `c${client.id}r${client.next}`;
	const request = http.request({
		agent, host, port, method: 'POST', timeout: 20000,
		path: `/?name=${name}&sleep=${Math.floor(3000 * Math.random())}us`,
		headers: {'Content-Length': body.length},
	});
	request.on('socket', socket => {
		if (socket.connecting) {
			socket.once('connect', () => counts.connections++);
		}
	});
	request.on('response', response => {
		let text = '';
		response.setEncoding('latin1');
		response.on('data', data => text += data);
		response.on('error', error => end(error.code || error.message));
		response.on('close', () => {
			if (!response.complete) {
				end('cut in the middle of it');
			} else if (response.statusCode !== 200 || text !== `hello ${name}`) {
				end(`status ${response.statusCode}, or the body of another response`);
			} else {
				end();
			}
		});
	});
	request.on('timeout', () => request.destroy(new Error('timeout')));
	request.on('error', error => end(error.code || error.message));
	request.end(body);
}

for (let id = 0; id < clients; id++) {
	post({id, next: 0});
}
process.stdin.resume();
process.stdin.on('end', () => {
	over = true;
	finish();
});
