/*
 * The protocol by which deployments share one database, for spin: leader lock, ledger, units, and what happens when
 * a process or its session dies at any moment. Phases are those of entrypoint/deploy/phases.c, by their names.
 *
 * Checked: nothing is committed twice or by somebody who does not lead, no ledger row says more or less than what was
 * done, and everybody is through in the end. There are two migrations: an atomic one (entrypoint/apply/atomic.c) and a
 * stepwise one of two segments (segment_run.c, nontransactional.c): a transaction, then a statement that runs alone. A
 * script may give the session's lock away in any of its transactions (pg_advisory_unlock_all()), and roll that back.
 */
#define PROCESSES 2
#define SESSIONS 4 /* each process has one at hand, and may have left an orphan behind */
#define NOBODY 255

#ifndef FAULTS
#define FAULTS 2
#endif

mtype = { CONNECTING, COMPARING, LEADING, FOLLOWING, PREPARING, APPLYING, COMPLETE, FAILED };
mtype phase[PROCESSES] = CONNECTING;

/* What a session is asked to do; it does it, or ends, whether or not anybody still waits for the answer. */
mtype = { NOTHING, TRY_LOCK, BEGIN_TRANSACTION, ROLL_BACK, COMMIT_ATOMIC, START_ROW, COMMIT_UNIT, RECORD_INTENT, RUN_ALONE,
          ADVANCE, FINISH };
mtype asked[SESSIONS] = NOTHING;
bool is_open[SESSIONS];
byte session_of[PROCESSES]; /* the one at hand */
bool is_done[SESSIONS]; /* the answer to what was asked: yes or no */

/* The database. */
bool is_atomic_applied; /* its ledger row, committed with it … */
byte atomic_done;       /* … and how often that was */
bool has_row;           /* of the stepwise migration */
bool is_finished;
byte steps;      /* applied_steps_count */
byte unit_done;  /* how often the transaction was committed */
byte alone_done; /* … and the statement run */
bool has_intent;

byte session_lock = NOBODY; /* the leader lock, by session … */
byte transaction_lock = NOBODY; /* … and by transaction: one key */

byte at_work = NOBODY; /* the session in a transaction of a script */

byte faults = FAULTS;

inline end_session(s)
{
    d_step {
        is_open[s] = false;
        is_done[s] = false;
        asked[s] = NOTHING;
        if
        :: session_lock == s -> session_lock = NOBODY
        :: else
        fi;
        if
        :: transaction_lock == s -> transaction_lock = NOBODY
        :: else
        fi;
        if
        :: at_work == s -> at_work = NOBODY
        :: else
        fi
    }
}

#define IS_ORPHAN(s) (session_of[s % PROCESSES] != s)
#define IS_FREE(s) ((session_lock == NOBODY || session_lock == s) && (transaction_lock == NOBODY || transaction_lock == s))

/* What each transaction begins with, and what the script's end with (ADVISORY_HOLD): the key for the transaction, which
 * no script can give away, and for the session. */
inline hold(s)
{
    is_done[s] = IS_FREE(s);
    if
    :: is_done[s] -> session_lock = s
    :: else
    fi
}

/* The end of a script's transaction. Nothing is committed unless the ledger is as it was read (`is_as_read`), and the
 * session holds the lock again before anybody can see what was. */
inline commit(s, is_as_read)
{
    is_done[s] = IS_FREE(s);
#ifndef WITHOUT_CONDITION
    is_done[s] = is_done[s] && is_as_read;
#endif
    if
    :: is_done[s] ->
#ifndef WITHOUT_KEEP
       session_lock = s
#else
       skip
#endif
    :: else
    fi;
    transaction_lock = NOBODY;
    at_work = NOBODY
}

/* A session works, and may end at any moment, before or after it has done what it was asked. An orphan is noticed by
 * the server (tcp_keepalives, client_connection_check_interval). */
active [SESSIONS] proctype session()
{
    byte s = _pid;

end:
    do
    :: atomic {
           if
           :: asked[s] == TRY_LOCK ->
              is_done[s] = IS_FREE(s);
              if
              :: is_done[s] -> session_lock = s
              :: else
              fi;
              asked[s] = NOTHING
           :: asked[s] == BEGIN_TRANSACTION ->
              hold(s);
              if
              :: is_done[s] ->
#ifndef WITHOUT_KEY
                 transaction_lock = s;
#endif
                 assert(at_work == NOBODY); /* never two leaders */
                 at_work = s;
                 if
                 :: session_lock = NOBODY /* the script says pg_advisory_unlock_all() */
                 :: skip
                 fi
              :: else
              fi;
              asked[s] = NOTHING
           :: asked[s] == ROLL_BACK ->
              transaction_lock = NOBODY;
              at_work = NOBODY;
              asked[s] = NOTHING
           :: asked[s] == COMMIT_ATOMIC ->
              commit(s, !is_atomic_applied);
              if
              :: is_done[s] -> assert(!is_atomic_applied); atomic_done++; is_atomic_applied = true
              :: else
              fi;
              asked[s] = NOTHING
           :: asked[s] == START_ROW ->
              hold(s);
              is_done[s] = is_done[s] && !has_row;
              has_row = has_row || is_done[s];
              asked[s] = NOTHING
           :: asked[s] == COMMIT_UNIT ->
              assert(has_row && is_atomic_applied);
              commit(s, steps == 0);
              if
              :: is_done[s] -> assert(steps == 0); unit_done++; steps = 1
              :: else
              fi;
              asked[s] = NOTHING
           :: asked[s] == RECORD_INTENT ->
              hold(s);
              has_intent = has_intent || is_done[s];
              asked[s] = NOTHING
           :: asked[s] == RUN_ALONE ->
              assert(session_lock == s && steps == 1 && alone_done == 0);
              alone_done++;
              asked[s] = NOTHING
           :: asked[s] == ADVANCE ->
              hold(s);
              is_done[s] = is_done[s] && steps == 1;
              if
              :: is_done[s] -> assert(alone_done == 1); steps = 2
              :: else
              fi;
              asked[s] = NOTHING
           :: asked[s] == FINISH ->
              hold(s);
              is_done[s] = is_done[s] && steps == 2 && !is_finished;
              is_finished = is_finished || is_done[s];
              asked[s] = NOTHING
           :: is_open[s] && faults > 0 -> faults--; end_session(s)
           :: is_open[s] && asked[s] == NOTHING && IS_ORPHAN(s) -> end_session(s)
           fi
       }
    od
}

#define OR_FAIL atomic { if :: is_done[s] -> is_done[s] = false :: else -> goto failed fi }

/* Asks the session and waits for the answer; `lost` when it ended, `gone` when the process is killed meanwhile. */
#define ASK(what)                                                                                                      \
    atomic {                                                                                                           \
        if                                                                                                             \
        :: is_open[s] -> asked[s] = what                                                                               \
        :: else -> goto lost                                                                                           \
        fi                                                                                                             \
    };                                                                                                                 \
    if                                                                                                                 \
    :: !is_open[s] -> goto lost                                                                                        \
    :: is_open[s] && asked[s] == NOTHING                                                                               \
    :: atomic { faults > 0 -> faults-- } -> goto gone                                                                  \
    fi

active [PROCESSES] proctype process()
{
    byte me = _pid - SESSIONS;
    byte s = me;
    bool is_proven;

    session_of[me] = s;
connecting:
    phase[me] = CONNECTING;
    atomic { !is_open[s] -> is_open[s] = true };
    phase[me] = COMPARING;
    if
    :: is_atomic_applied && is_finished -> goto complete
    :: else
    fi;
    phase[me] = LEADING;
    ASK(TRY_LOCK);
    atomic {
        if
        :: is_done[s] -> is_done[s] = false
        :: else -> phase[me] = FOLLOWING; end_session(s); goto connecting
        fi
    };
    /* The ledger is read again, now that nobody else writes it. */
    phase[me] = PREPARING;
    phase[me] = APPLYING;
    if
    :: !is_atomic_applied ->
       ASK(BEGIN_TRANSACTION);
       OR_FAIL;
       ASK(COMMIT_ATOMIC);
       OR_FAIL
    :: else
    fi;
    if
    :: is_finished -> goto complete
    :: else
    fi;
    if
    :: !has_row -> ASK(START_ROW); OR_FAIL
    :: else
    fi;
    if
    :: steps == 0 ->
       ASK(BEGIN_TRANSACTION);
       OR_FAIL;
       if
       :: atomic { faults > 0 -> faults-- }; ASK(ROLL_BACK); ASK(BEGIN_TRANSACTION); OR_FAIL /* tried again: a lock timeout */
       :: skip
       fi;
       ASK(COMMIT_UNIT);
       OR_FAIL
    :: else
    fi;
    if
    :: steps == 1 ->
       atomic {
           if
           :: !is_open[s] -> goto lost
           :: is_open[s] && has_intent && alone_done == 1 -> is_proven = true /* repair_before(): REPAIR_DONE */
           :: else -> assert(alone_done == 0); is_proven = false
           fi
       };
       if
       :: is_proven
       :: else ->
          ASK(RECORD_INTENT);
          OR_FAIL;
          ASK(RUN_ALONE)
       fi;
       ASK(ADVANCE);
       OR_FAIL
    :: else
    fi;
    ASK(FINISH);
    OR_FAIL;
    goto complete;

lost: /* the same process connects again */
    end_session(s);
    goto connecting;

failed: /* exit 4, and Kubernetes starts it again */
    phase[me] = FAILED;
    end_session(s);
    goto connecting;

gone: /* kill -9: its session is an orphan, which does what it was asked or ends; another process takes over */
    phase[me] = FAILED;
    atomic {
        !is_open[(s + PROCESSES) % SESSIONS] -> s = (s + PROCESSES) % SESSIONS;
        session_of[me] = s;
        goto connecting
    };

complete:
    phase[me] = COMPLETE;
    assert(atomic_done == 1 && unit_done == 1 && alone_done == 1 && steps == 2);
    end_session(s)
}

ltl everybody_is_through { <> (phase[0] == COMPLETE && phase[1] == COMPLETE) }
