/*
 * The stop, and what each connection makes of it: who stores what before loading
 * what, who holds the lock when a deadline is set or a connection is closed from
 * outside, and what a close has looked at. The names in brackets are those of the
 * Go code in server/.
 *
 * Every interleaving of CONNS connections with their clients, the drain and one
 * snapshot is checked. Time is left out: a window may end at any moment. Go's
 * atomics are sequentially consistent (go.dev/ref/mem), and so is this model.
 *
 * Shutdown ends: no run stops anywhere but at the end (spin's invalid end states),
 * and no run goes round for ever (its non-progress cycles).
 *
 * With OUTSIDE the connection may be deaf: its Read does not obey deadlines, and the
 * drain closes it from outside. And the drain may give up, with or without
 * ForceClose. That is checked apart, as a drain that may give up never hangs.
 *
 * A connection that has seen the stop parks: it waits without a deadline until the
 * drain's window is over, and is woken a second time then. Which of the two comes
 * first, the loop that parks or the window's end, and what the loop does meanwhile,
 * is what runWindow and the label park are about. With NO_WINDOW there is none, as
 * with a negative Drain.FinalRead: nothing is parked, and two connections fit.
 *
 * With OUTSIDE it may also be one that the stop does not wake, but parks: TLS on
 * something that is no socket.
 *
 * A lock is taken in one step with what comes after it, and let go in one with what
 * comes before: nothing is lost by that, as who waits for a lock, or has just let
 * it go, hinders nobody.
 *
 * The mutants each take one thing away, and have to fail:
 *   SWAP_MODE    the drain loads the states before it stores the mode
 *   SWAP_BEGUN   it loads them before it stores that a drain has begun
 *   SWAP_COUNT   it stores the mode before it counts the open connections
 *   SWAP_IDLE    the loop loads the mode before it stores that it is idle
 *   SWAP_ACTIVE  it loads the mode before it stores that it is active
 *   NO_STOP      its wait does not look for the stop
 *   HELD_STOP    nor does the wait after a request that a response was held back for
 *   LEAVES       it ends at a stop with that request unserved
 *   NO_LOCK      it sets a deadline after it has seen the stop, without the lock
 *   NO_TAKE      begin leaves the drain's deadline on the request
 *   NO_ASK       begin does not ask whether the drain has closed the connection
 *   ASK_FREE     it asks without the lock
 *   NO_LOOK      the loop closes at the window's end without a last look
 *   NO_MORE      a response says close without one
 *   UNTRACKED    a connection is counted only once its loop has begun
 *
 * Those of the second wake:
 *   SWAP_OVER    the drain wakes what is parked before it stores that the window is over
 *   NO_RELOAD    the loop parks, and does not load that once more
 *   LOOK_EARLY   it loads it before it takes its deadline back
 *   MARK_LATE    it marks itself as parked only after that load
 *   NO_PARK      the drain does not park what it must not wake at the stop
 *   WAKE_FREE    it wakes what is parked without the lock
 *   NO_UNPARK    the loop goes on with a request, and keeps the mark
 *   END_FREE     it takes the mark back without the lock
 *   TAKE_EARLY   it sets the request's deadline before it takes the mark back
 *   KEEPS_MARK   it takes its last look with the mark
 *   NO_END       it leaves with the mark
 *   USE_EACH     each wait that ends with a request is counted as a use
 */

#ifndef CONNS
#define CONNS 2
#endif
#ifndef REQUESTS
#define REQUESTS 1
#endif

mtype = { none, window, expired };   /* a connection's read deadline */

bool begun;                          /* [drainState.begun] */
bool stopped, abandoned;             /* [drain.mode]: modeStopped, modeAbandoned */
bool listening = true;
bool finished;                       /* Shutdown has returned nil */
byte left;                           /* [drain.left] */
byte openAtStop, accepted, outcomes; /* the account */
bool over;                           /* [drain.over]: the window of what is parked */
bool windowEnded;                    /* [drain.windowEnded] */
bool draining;                       /* [connShard.drain], one shard for all */

bool mutex;                          /* [connShard.mu] */

typedef Conn {
    bool idle;                       /* [drainConn.idle] is not 0: it waits */
    bool tracked;                    /* in the table */
    bool seen;                       /* [drainConn.stopSeen] */
    bool aborted;                    /* [drainConn.cut]     */
    bool accounted;                  /* [drainConn.accounted] */
    bool parked;                     /* [drainConn.parked] */
    bool own;                        /* [drainConn.window] is not 0 */
    bool waits, used;                /* [drainConn.waits, drainConn.used] */
    bool counted;                    /* it is in [drain.uses] */
    mtype deadline = none;
    byte received;                   /* requests in the socket's buffer */
    bool deaf;                       /* its Read ignores deadlines */
    bool sleeps;                     /* the stop parks it, and does not wake it */
    bool leaving;                    /* the client has closed */
    bool shut;                       /* the server has sent FIN */
    bool closed;                     /* the drain has closed it from outside */
    bool running;                    /* a request is read or handled: no drain's deadline now */
    bool lingering;                  /* nor now */
};
Conn c[CONNS];

/* What a loop that has seen the stop waits for before it sets a deadline. */
#ifdef NO_LOCK
#define locks true
#else
#define locks !mutex
#endif

/* [drainConn.seeStop] */
inline seeStop(i) {
    if
    :: c[i].seen
    :: atomic { !c[i].seen && locks -> c[i].seen = true }
    fi
}

/* The look for the stop: two loads. [Server.draining, drain.mode] */
inline look(sees) {
    if
    :: begun -> sees = stopped
    :: else
    fi
}

/* [connTable.track] */
inline track(i) {
    atomic { !mutex ->
        c[i].tracked = true;
        if
        :: draining -> accepted++; left++
        :: else
        fi
    }
}

/* The end of a wait, under the lock. [drainConn.endWaiting] */
inline endWait(i, use) {
#ifndef NO_WINDOW /* which is all that uses are counted for */
    if
#ifdef USE_EACH
    :: use && c[i].waits ->
#else
    :: use && c[i].waits && !c[i].used ->
#endif
        assert(!c[i].counted); /* one use for a connection */
        c[i].used = true; c[i].counted = true
    :: else
    fi;
#endif
    c[i].waits = false;
#ifdef NO_UNPARK
    c[i].parked = (c[i].parked && use)
#else
    c[i].parked = false
#endif
}

proctype client(byte i) {
    byte sent;
    do
    :: atomic { sent < REQUESTS -> sent++; if :: !c[i].shut && !c[i].closed -> c[i].received++ :: else fi }
    :: c[i].leaving = true; break
    :: break /* and stays connected */
    od
}

/* What Read returns it takes at once into the loop's reader. */
#define take(i) buffered = c[i].received; c[i].received = 0; late = c[i].closed
#define obeys(i) (!c[i].deaf && buffered == 0)
#define readable(i) (buffered == 0 && (c[i].deaf || c[i].deadline != expired))

/* The serve loop of a connection. */
proctype serve(byte i) {
    byte buffered; /* requests in the loop's reader */
    bool sees;     /* what a look for the stop said */
    bool final;    /* the request began after the stop */
    bool there;    /* what the last look saw, or would have seen */
    bool cut;      /* the end of the window, or of the drain's patience, cuts off what is there */
    bool late;     /* the connection was closed from outside before its next request was taken up */
    bool ends;     /* begin's answer */
#ifdef HELD_STOP
    bool held;
#endif

#ifdef UNTRACKED
    track(i);
#endif

turn: /* The loop's end and its next begin: the state is stored, then comes the look. */
    if
    :: buffered > 0 ->
        /* The response is held back for the next request: the word stays 0. */
#ifdef LEAVES
        look(sees);
        if
        :: sees -> there = true; goto close
        :: else
        fi;
#endif
#ifdef HELD_STOP
        held = true
#endif
    :: true ->
#ifdef SWAP_IDLE
        look(sees);
#endif
        c[i].idle = true
    fi;
    c[i].deadline = none; /* upstream's, by its timeouts, without a lock */
#ifdef HELD_STOP
    if
    :: held && buffered == 0 -> held = false; goto read
    :: else
    fi;
#endif
#ifndef NO_STOP
#ifndef SWAP_IDLE
    look(sees);
#endif
    if
    :: sees && buffered == 0 -> /* [beforeWait, goWaiting, openWindow] */
        seeStop(i);
        atomic { locks -> c[i].waits = true; c[i].own = true; c[i].deadline = window }
    :: else
    fi;
#endif
    sees = false;

read:
    if
    :: buffered > 0 -> late = c[i].closed
    :: atomic { readable(i) && c[i].received > 0 -> take(i) }
    :: readable(i) && c[i].received == 0 && c[i].leaving -> goto out
    :: buffered == 0 && c[i].closed -> goto out
    :: c[i].deaf && abandoned -> goto left_open /* nobody waits for it any more */
    :: obeys(i) && c[i].deadline == expired -> goto interrupted
    :: obeys(i) && c[i].deadline == window -> goto park /* its own window has ended */
    fi;
    goto begin;

interrupted: /* by the drain: [finalRead] */
    assert(stopped);
    seeStop(i);
    if
    :: locks && c[i].own -> c[i].deadline = window; goto read
    :: true
    fi;

park: /* [waitOn]: the mark; then the deadline is taken back; then comes the look. */
#ifndef MARK_LATE
    atomic { locks ->
        c[i].parked = !over;
        c[i].own = (c[i].own && over)
    };
    if
    :: c[i].parked
    :: else -> goto lastLook
    fi;
#endif
#ifdef LOOK_EARLY
    sees = over;
#endif
    c[i].deadline = none;
#ifdef NO_RELOAD
    goto read;
#elif !defined(LOOK_EARLY)
    sees = over;
#endif
#ifdef MARK_LATE
    atomic { !mutex -> c[i].parked = true; c[i].own = false };
#endif
    if
    :: sees -> sees = false
    :: else -> goto read
    fi;

lastLook: /* The mark is taken back, so that no wake lands from here on: [unpark] */
    atomic {
#ifndef KEEPS_MARK
        locks -> c[i].parked = false;
#endif
        there = (c[i].received > 0);
        if
#ifndef NO_LOOK
        :: there -> c[i].deadline = window
#endif
        :: else -> goto close
        fi
    };
    /* What it has seen is read under a deadline of its own. */
    if
    :: atomic { c[i].deadline != expired -> take(i); there = false }
    :: c[i].deadline == expired -> goto close
    fi;

begin:
    /* The first byte has been read: the state is stored, then comes the look. */
#ifdef SWAP_ACTIVE
    look(sees);
#endif
    c[i].idle = false;
#ifndef SWAP_ACTIVE
    look(sees);
#endif
    if
    :: sees -> /* [begin, beginFinalRequest] */
        seeStop(i);
#ifdef TAKE_EARLY
        c[i].deadline = none;
#endif
#ifdef ASK_FREE
        ends = c[i].aborted;
#endif
        atomic {
#ifndef END_FREE
            locks ->
#endif
            endWait(i, true);
#if !defined(NO_ASK) && !defined(ASK_FREE)
            ends = c[i].aborted;
#endif
            if
            :: ends -> goto out
            :: else
            fi;
            final = true;
            c[i].own = true; /* [openWindow] */
#if !defined(NO_TAKE) && !defined(TAKE_EARLY)
            c[i].deadline = none
#endif
        }
    :: else
    fi;
    atomic {
        assert(c[i].deadline != expired);     /* it is not cut off by the drain */
        assert(!late);                        /* it can be answered */
        assert(!c[i].closed || abandoned);
        assert(!finished);
        c[i].running = true; buffered--; sees = false; late = false
    };

    /* The handler runs; then the response: [lastResponse, closes, more] */
    look(sees);
    if
    :: sees ->
        seeStop(i);
        if
        :: abandoned || final -> cut = true; goto close /* the window may have ended */
        :: !abandoned -> /* the request is final, or the application has asked for it */
            there = (buffered + c[i].received > 0);
            if
#ifndef NO_MORE
            :: there -> there = false
#endif
            :: else -> goto close
            fi
        :: !abandoned && !final
        fi
    :: else
    fi;
    atomic { c[i].running = false; sees = false; final = false };
    goto turn;

close:
    atomic { assert(!there || cut); there = false; cut = false; c[i].running = false; c[i].shut = true };
out: /* [leaveLoop, Close] */
    c[i].idle = false;
    if
    :: stopped ->
        seeStop(i);
        atomic {
#ifndef NO_END
            locks -> endWait(i, false);
#endif
            c[i].lingering = true
        }
    :: else
    fi;
    atomic { !mutex -> /* [connShard.remove] */
        assert(!c[i].seen || draining || c[i].accounted);
        c[i].tracked = false;
        c[i].own = false; c[i].used = false; c[i].counted = false; c[i].deadline = none;
        if
        :: draining -> assert(left > 0); left--; outcomes++
        :: else
        fi
    };
left_open:
}

/* The accept loop: it may take each connection before the listener closes. */
proctype accept() {
    byte i;
    do
    :: i < CONNS ->
        if
        :: run client(i);
#ifndef UNTRACKED
            track(i);
#endif
            run serve(i)
        :: true /* nobody connects */
        fi;
        i++
    :: else -> break
    od;
    listening = false
}

#define wakes(i) (c[i].tracked && !c[i].seen && c[i].idle)

/* A wake sets the deadline under the lock, and loads the state under it. [wake] */
inline wake() {
    for (i : 0 .. CONNS - 1) {
        if
        :: atomic { !mutex && wakes(i) -> mutex = true };
            /* here is the pause that the lock guards */
            atomic {
                assert(!c[i].running && !c[i].lingering);
                c[i].waits = true;
                if
#ifdef NO_PARK
                :: c[i].sleeps
#else
                :: c[i].sleeps && !over -> c[i].parked = true
#endif
                :: else -> c[i].deadline = expired
                fi;
                mutex = false
            }
        :: !mutex && !wakes(i)
        fi
    }
}

/*
 * The window's end: what is parked is woken a second time, for its last look. Its
 * asserts differ from those of wake in their words, so that a mutant fails for its own.
 * [runWindow, wakeParked]
 */
proctype runWindow() {
    byte i;
#ifndef SWAP_OVER
    over = true;
#endif
    for (i : 0 .. CONNS - 1) {
        if
#ifdef WAKE_FREE
        :: c[i].tracked && c[i].parked -> c[i].parked = false;
#else
        :: atomic { !mutex && c[i].tracked && c[i].parked -> mutex = true; c[i].parked = false };
#endif
            /* here is the pause that the lock guards */
            atomic {
                assert(!c[i].running);
                assert(!c[i].lingering);
                c[i].deadline = expired;
#ifndef WAKE_FREE
                mutex = false
#endif
            }
        :: !mutex && !(c[i].tracked && c[i].parked)
        fi
    };
#ifdef SWAP_OVER
    over = true;
#endif
    windowEnded = true
}

inline count() {
    atomic { !mutex ->
        draining = true;
        for (i : 0 .. CONNS - 1) {
            if
            :: c[i].tracked -> openAtStop++; left++
            :: else
            fi
        }
    }
}

/* The drain. [runDrain, stopConns, awaitConns, endDrain] */
proctype shutdown() {
    byte i;
    bool force; /* Drain.ForceClose */

#ifndef SWAP_BEGUN
    begun = true;
#endif
#ifndef SWAP_COUNT
    count();
#endif
#ifdef NO_WINDOW
    over = true;
#endif
#ifndef SWAP_MODE
    stopped = true;
#endif
#ifdef SWAP_COUNT
    count();
#endif
    wake();
#ifdef SWAP_MODE
    stopped = true;
#endif
#ifdef SWAP_BEGUN
    begun = true;
#endif
#ifdef NO_WINDOW
    windowEnded = true;
#else
    run runWindow();
#endif
    !listening;
    do
    :: left == 0 -> windowEnded; finished = true; break
    :: timeout -> /* no more than a note of why it hangs */
        for (i : 0 .. CONNS - 1) {
            assert(!(c[i].seen && c[i].tracked && c[i].deadline == none)) /* nobody wakes it any more */
        };
        false
#ifdef OUTSIDE
    :: atomic { !mutex && c[0].tracked && c[0].deaf && c[0].idle && (c[0].own || over) && !c[0].closed -> mutex = true };
        /* the look for what is deaf: it hits nothing but a wait */
        atomic { assert(!c[0].running); c[0].aborted = true };
        atomic { assert(!c[0].running); c[0].closed = true; mutex = false }
    :: windowEnded; abandoned = true; /* it gives up */
        if
        :: force = true
        :: true
        fi;
        if
        :: atomic { !mutex && c[0].tracked -> mutex = true };
            atomic { c[0].accounted = true; outcomes++ };
            if
            :: force -> c[0].aborted = true; c[0].closed = true
            :: else
            fi;
            atomic { draining = false; mutex = false }
        :: atomic { !mutex && !c[0].tracked -> draining = false }
        fi;
        break
#endif
    od;
    assert(outcomes == openAtStop + accepted);
    for (i : 0 .. CONNS - 1) {
        assert(!c[i].tracked || c[i].accounted)
    }
}

/* A scrape: [ConnStats]. What it adds up is read under the lock. */
proctype snapshot() {
    byte i, waiting, busy, seen;
    atomic { !mutex ->
        for (i : 0 .. CONNS - 1) {
            if
            :: c[i].tracked && c[i].idle -> waiting++
            :: c[i].tracked && !c[i].idle -> busy++
            :: else
            fi;
            if
            :: c[i].tracked && c[i].seen -> seen++
            :: else
            fi
        };
        assert(seen <= waiting + busy);
        assert(!draining || waiting + busy == left);
        i = 0; waiting = 0; busy = 0; seen = 0
    }
}

init {
    atomic {
#ifdef OUTSIDE
        if
        :: c[0].deaf = true
        :: true
        fi;
        if
        :: c[0].sleeps = true
        :: true
        fi;
#endif
        run accept(); run shutdown();
#ifdef SNAPSHOT
        run snapshot()
#endif
    }
}
