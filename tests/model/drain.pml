/*
 * The stop, and what each connection makes of it: who stores what before loading
 * what, who holds the lock when a deadline is set, and what a close has looked
 * at. The names in brackets are those of the Go code in server/.
 *
 * Every interleaving of CONNS connections with their clients, the drain and one
 * snapshot is checked. Time is left out: a window may end at any moment. Go's
 * atomics are sequentially consistent (go.dev/ref/mem), and so is this model.
 *
 * Shutdown ends: no run stops anywhere but at the end (spin's invalid end states),
 * and no run goes round for ever (its non-progress cycles).
 *
 * The mutants each take one thing away, and have to fail:
 *   SWAP_IDLE    the loop loads the stop before it stores that it is idle
 *   SWAP_ACTIVE  it loads the stop before it swaps its state for active
 *   LOAD_ONLY    the drain loads a state and does not turn it
 *   SWAP_STOP    the drain loads the states before it stores the stop
 *   NO_LOCK      the loop notes the stop without the lock
 *   NO_LOOK      it closes at the window's end without a last look
 *   UNTRACKED    a connection is counted only once its loop has begun
 */

#ifndef CONNS
#define CONNS 2
#endif
#ifndef REQUESTS
#define REQUESTS 1
#endif

mtype = { none, window, expired };   /* a connection's read deadline */

/* The state word: serving is 0, idle a time, turned a negative value. A connection
 * begins turned, as its first byte always goes through begin. */
mtype = { serving, idle, turned };

bool asked;                          /* Server.CloseOnShutdown */
bool stopped;                        /* [drain.mode] */
bool listening = true;
bool finished;                       /* Shutdown has returned */
byte open;                           /* [connTable.open] */
byte openAtStop, accepted, outcomes; /* the account */
bool draining;                       /* [connShard.drain], one shard for all */

bool mutex;                          /* [connShard.mu] */

typedef Conn {
    mtype state = turned;            /* [drainConn.idle] */
    bool tracked;                    /* in the table */
    bool seen;                       /* [drainConn.stopSeen] */
    mtype deadline = none;
    byte received;                   /* requests in the socket's buffer */
    bool leaving;                    /* the client has closed */
    bool shut;                       /* the server has sent FIN */
    bool running;                    /* a request is read or handled: no drain's deadline now */
    byte ends;                       /* outcomes counted for it */
};
Conn c[CONNS];

/* [drainConn.seeStop] */
inline seeStop(i) {
#ifdef NO_LOCK
    c[i].seen = true
#else
    atomic { !mutex -> c[i].seen = true }
#endif
}

/* The next first byte goes through begin, if the loop waits for one: a load and a
 * compare-and-swap. [drainConn.turn] */
inline turn(i, was, waits) {
    was = c[i].state;
    if
    :: was == turned -> waits = true
    :: was == idle ->
        atomic {
            if
            :: c[i].state == idle -> c[i].state = turned; waits = true
            :: else -> waits = false
            fi
        }
    :: else -> waits = false
    fi
}

/* A connection leaves the table, with its outcome. [connTable.remove, left] */
inline leave(i) {
    atomic { !mutex ->
        c[i].tracked = false;
        if
        :: draining -> outcomes++; c[i].ends++
        :: else
        fi
    };
    atomic { assert(open > 0); open-- }
}

proctype client(byte i) {
    byte sent;
    do
    :: sent < REQUESTS && !c[i].leaving -> atomic { sent++; if :: !c[i].shut -> c[i].received++ :: else fi }
    :: c[i].leaving = true; break
    :: break /* and stays connected */
    :: c[i].shut -> break
    od
}

/* The serve loop of a connection. */
proctype serve(byte i) {
    bool loaded;   /* what a load of the stop said */
    bool final;    /* the request began after the stop */
    bool over;     /* the window has ended */
    bool there;    /* what the last look saw */
    bool waits;
    mtype was;

    atomic { !mutex ->
        c[i].tracked = true;
        if
        :: draining -> accepted++
        :: else
        fi
    };
#ifdef UNTRACKED
    open++;
#endif
    loaded = stopped;
    goto wait;

goIdle:
#ifdef SWAP_IDLE
    loaded = stopped;
    c[i].state = idle;
#else
    c[i].state = idle;
    loaded = stopped;
#endif

wait: /* [beforeWait] */
    if
    :: loaded -> turn(i, was, waits); atomic { was = 0; waits = false }; seeStop(i); atomic { c[i].deadline = window; loaded = false }
    :: else
    fi;

read:
    if
    :: atomic { c[i].received > 0 && c[i].deadline != expired -> c[i].received-- }; goto begin
    :: c[i].leaving && c[i].received == 0 && c[i].deadline != expired -> goto end
    :: c[i].deadline == expired -> /* woken by the stop: [finalRead] */
        seeStop(i);
        c[i].deadline = window;
        goto read
    :: c[i].deadline == window -> over = true
    fi;

    /* The window's end: the last look, then FIN. */
    atomic {
        there = (c[i].received > 0);
#ifdef NO_LOOK
        assert(!there); /* what was there is dropped */
#endif
    };
    if
#ifndef NO_LOOK
    :: there -> atomic { c[i].received--; there = false }; goto begin
#endif
    :: else -> goto close
    fi;

begin: /* the first byte has been read: [begin, beginFinalRequest] */
#ifdef SWAP_ACTIVE
    loaded = stopped;
#endif
    atomic { was = c[i].state; c[i].state = serving };
    if
    :: was == turned ->
#ifndef SWAP_ACTIVE
        loaded = stopped;
#endif
        final = loaded;
        if
        :: loaded -> seeStop(i); c[i].deadline = none
        :: else
        fi
    :: else
    fi;
    atomic { was = 0; loaded = false };
    atomic { assert(c[i].deadline != expired); c[i].running = true };

    /* The handler runs; then the response: [closes, more] */
    loaded = stopped;
    if
    :: loaded ->
        seeStop(i);
        if
        :: final || asked ->
            if
            :: c[i].received == 0 || over -> goto close /* the last look, or the window has ended */
            :: else
            fi
        :: else
        fi
    :: else
    fi;
    atomic { c[i].running = false; loaded = false; final = false };
    goto goIdle;

close:
    c[i].shut = true;
end:
    leave(i)
}

/* The accept loop: it may take each connection before the listener closes. */
proctype accept() {
    byte i;
    do
    :: i < CONNS ->
        if
#ifdef UNTRACKED
        :: atomic { listening -> run serve(i); run client(i) }
#else
        :: atomic { listening -> open++; run serve(i); run client(i) }
#endif
        :: true -> skip /* nobody connects */
        fi;
        i++
    :: else -> break
    od;
    listening = false
}

/* The drain: [stopConns, awaitConns]. */
proctype shutdown() {
    byte i;
    bool waits;
    mtype was;
#ifdef SWAP_STOP
    bool turns[CONNS];
#endif

    atomic { !mutex ->
        draining = true;
        for (i : 0 .. CONNS - 1) {
            if
            :: c[i].tracked -> openAtStop++
            :: else
            fi
        }
    };

#ifdef SWAP_STOP
    for (i : 0 .. CONNS - 1) {
        if
        :: c[i].tracked -> turn(i, was, waits); turns[i] = waits
        :: else
        fi
    };
    stopped = true;
#else
    stopped = true;
#endif
    for (i : 0 .. CONNS - 1) {
        atomic { !mutex -> mutex = true };
        if
        :: c[i].tracked && !c[i].seen ->
#if defined(SWAP_STOP)
            waits = turns[i];
#elif defined(LOAD_ONLY)
            waits = (c[i].state != serving);
#else
            turn(i, was, waits);
#endif
            if
            :: waits -> /* here is the pause that the lock guards */
                atomic { assert(!c[i].running); c[i].deadline = expired }
            :: else
            fi
        :: else
        fi;
        atomic { waits = false; was = 0; mutex = false }
    };
    !listening;
    open == 0;
    finished = true;
    assert(outcomes == openAtStop + accepted);
    for (i : 0 .. CONNS - 1) {
        assert(!c[i].tracked && c[i].ends <= 1)
    }
}

/* A scrape: [ConnStats]. What it adds up is read under the lock. */
proctype snapshot() {
    byte i, waiting, busy, seen;
    atomic { !mutex ->
        for (i : 0 .. CONNS - 1) {
            if
            :: c[i].tracked && c[i].state != serving -> waiting++
            :: c[i].tracked && c[i].state == serving -> busy++
            :: else
            fi;
            if
            :: c[i].tracked && c[i].seen -> seen++
            :: else
            fi
        };
        assert(seen <= waiting + busy && waiting + busy <= open);
        i = 0; waiting = 0; busy = 0; seen = 0
    }
}

init {
    atomic {
        if
        :: asked = true
        :: asked = false
        fi;
        run accept(); run shutdown();
#ifdef SNAPSHOT
        run snapshot()
#endif
    }
}
