package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/prefork"

	"github.com/fastdrain/fastdrain/internal/process"
)

// childEnv makes the probe a server that stops at SIGTERM: "single", or
// "prefork" for a master and its children. They listen on the address that
// addrEnv says.
const (
	childEnv = "FASTDRAIN_PROBE_CHILD"
	addrEnv  = "FASTDRAIN_PROBE_ADDR"
)

var processFaults = []fault{
	{
		Name: "sigterm-twice", What: "SIGTERM twice, to a process that stops as README.md says",
		Want: "the request that ran: 200; one more: 200, close, FIN; the process: exit status 0",
		run: func(r *rig) {
			p := r.startChild("single")
			c := r.dialTo(p.addr)
			c.send(get("/held"))
			p.expect("held")
			r.check(p.Terminate())
			p.expect("stopping " + strconv.Itoa(p.PID()))
			r.check(p.Terminate())
			p.expect("signalled again")
			_, err := io.WriteString(p.stdin, "go on\n")
			r.check(err)
			r.say("the request that ran: %s", c.read())
			r.say("one more: %s", c.askIdle(get("/more")))
			_ = c.c.Close()
			r.say("the process: %s", p.exit())
		},
	},
	{
		Name: "prefork-child-restarts", What: "a prefork child gets SIGTERM, the master starts another; no request may notice",
		Want: "idle on the child: 200, close, FIN; new clients: all answered",
		run: func(r *rig) {
			p := r.startChild("prefork")
			c := r.dialTo(p.addr)
			c.send(get("/pid"))
			pid := c.readBody()
			n, err := strconv.Atoi(pid)
			r.check(err)
			r.check(syscall.Kill(n, syscall.SIGTERM))
			p.expect("stopping " + pid)
			r.say("idle on the child: %s", c.askIdle(get("/pid")))
			_ = c.c.Close()
			p.expect("replaced " + pid)
			for range 20 {
				other, err := net.DialTimeout("tcp4", p.addr.String(), bound)
				if err != nil {
					r.say("new clients: refused")
					return
				}
				if seen := r.client(other).ask(get("/pid", "Connection: close")); seen != "200, close, FIN" {
					r.say("new clients: %s", seen)
					return
				}
			}
			r.say("new clients: all answered")
		},
	},
}

// readBody reads a response's body.
func (c *client) readBody() string {
	_ = c.c.SetReadDeadline(time.Now().Add(bound))
	res, err := http.ReadResponse(c.br, nil)
	c.r.check(err)
	body, err := io.ReadAll(res.Body)
	c.r.check(err)
	return string(body)
}

// childProcess is the probe as a server.
type childProcess struct {
	*process.Running
	r     *rig
	stdin io.Writer
	lines *process.Lines
	addr  net.Addr
}

func (r *rig) startChild(kind string) *childProcess {
	self, err := os.Executable()
	r.check(err)
	free, err := process.FreeAddr()
	r.check(err)
	addr, err := net.ResolveTCPAddr("tcp4", free)
	r.check(err)
	p := &childProcess{r: r, lines: process.NewLines(), addr: addr}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childEnv+"="+kind, addrEnv+"="+p.addr.String())
	cmd.Stdout, cmd.Stderr = p.lines, os.Stderr
	p.stdin, err = cmd.StdinPipe()
	r.check(err)
	p.Running, err = process.Run(cmd, nil)
	r.check(err)
	r.atEnd = append(r.atEnd, p.Kill)
	p.expect("ready")
	return p
}

// expect reads the child's output until it says the line.
func (p *childProcess) expect(line string) {
	if _, said := p.lines.Await(p.Running, bound, func(have string) bool { return have == line }); !said {
		p.r.giveUp("the child has not said %q in %v, or has ended before", line, bound)
	}
}

// exit waits for the end of the child.
func (p *childProcess) exit() string {
	p.Wait(bound)
	return "exit status " + p.Exit()
}

func childMain() {
	pid := strconv.Itoa(os.Getpid())
	goOn := make(chan struct{})
	srv := &fasthttp.Server{Logger: silent{}, Handler: func(ctx *fasthttp.RequestCtx) {
		if string(ctx.Path()) == "/held" {
			fmt.Println("held")
			<-goOn
		}
		ctx.WriteString(pid)
	}}
	// The patched Serve returns with its drain, or five seconds after the stop, when the
	// window of who waits is nearly over: its phase tells earlier.
	stopping := sync.OnceFunc(func() { fmt.Println("stopping", pid) })
	configure(srv, settings{finalRead: window, onPhase: func(phase string) {
		if phase == "draining" {
			stopping()
		}
	}})

	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM)
	stopped := make(chan error, 1)
	go func() {
		<-signals
		go func() {
			<-signals
			fmt.Println("signalled again")
			_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
			close(goOn)
		}()
		ctx, cancel := context.WithTimeout(context.Background(), bound)
		defer cancel()
		done := make(chan struct{})
		go func() {
			defer close(done)
			stopped <- srv.ShutdownWithContext(ctx)
		}()
		<-done
	}()

	ready := func() { fmt.Println("ready") }
	var err error
	switch addr := os.Getenv(addrEnv); os.Getenv(childEnv) {
	case "single":
		var ln net.Listener
		if ln, err = net.Listen("tcp4", addr); err == nil {
			ready()
			err = srv.Serve(ln)
		}
		stopping()
	case "prefork":
		p := prefork.New(srv)
		p.Logger = log.New(io.Discard, "", 0)
		p.RecoverThreshold = 100
		p.OnMasterReady = func([]int) error { ready(); return nil }
		p.OnChildRecover = func(old, _ int) { fmt.Println("replaced", old) }
		err = p.ListenAndServe(addr)
		stopping()
	}
	if err == nil {
		err = <-stopped
	}
	if err != nil {
		fail("%v", err)
	}
}
