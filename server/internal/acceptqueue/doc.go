// Package acceptqueue empties the accept queue of a listener that stops.
//
// When a listening socket is closed, Linux resets what is in its accept queue,
// and every handshake that is half done. To its client such a connection was
// open. A [Queue] sees to it that no new handshake begins, lets those under way
// finish, has the queue accepted until it is empty, and closes the listener.
//
// What holds, whatever the listener is:
//
//   - Nothing that lasts is done to a socket, as others may have it open: no
//     shutdown(2); filters, programs and options end by themselves or are taken
//     off again.
//   - A socket that others have open, or may have, is only looked at (poll(2),
//     TCP_INFO, sock_diag), accepted from, and closed: see shared.
//   - A listener of an unknown type is accepted from and closed, and nothing else
//     is called or done to what it exports; a socket that it exports is looked
//     at.
//   - No code of the application is called with a lock held, and its Close runs
//     on a goroutine of its own.
//   - It ends when the time given to Open is up.
package acceptqueue
