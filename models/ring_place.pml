/* Claimers and peekers of ring_wait.pml: they have a place of the ring in their hands, OPEN, for as long as they like.
 * Before they finish it they take OPEN away, which says so; then they look at the other side, and publish. */
/* Has it for as long as it likes, or for ever. */
inline have_open() {
    STEP( cells[mine] = cells[mine] | OPEN );
    if
    :: true
    :: true ->
end_kept:
        if
        KILL
        :: false
        fi
    fi;
#ifndef M_OPEN_UNTIL_IT_IS_FINISHED
    STEP( cells[mine] = cells[mine] & ~OPEN )
#endif
}
#if CLAIMERS
proctype Claimer(byte me) {
    LOCALS;
    STEP( if :: AT_TAIL == FREE -> mine = tail % CELLS; tail++; cells[mine] = BY_ME(PUTTING); look = DONE :: else fi );
    if
    :: look == DONE ->
        have_open();
        alert(ITEMS);
        STEP( if :: cells[mine] = FULL :: cells[mine] = SKIP; more = 1 fi );
        mine = 0;
        sound(ITEMS);
#ifndef M_NO_PUTTER_TOLD_OF_WHAT_IS_GIVEN_UP
        if :: more -> nudge(ROOM) :: else fi
#endif
    :: else
    fi;
    goto finished;
dying:
    atomic { queued[me] = 0; dead[me] = 1; FORGET; UNHOOK };
    die();
finished:
    FORGET
}
#endif
#if PEEKERS
proctype Peeker(byte me) {
    LOCALS;
    try_get();
    if
    :: look == DONE ->
        have_open();
        if
        :: true ->
            alert(ROOM);
            STEP( cells[mine] = FREE );
            mine = 0;
            sound(ROOM)
        :: true ->
            STEP( cells[mine] = TAKING | NOBODY << 3 );
#ifndef M_GIVEN_UP_IN_SILENCE
            nudge(ITEMS)
#endif
        fi
    :: look == EMPTY_ONE -> step_over()
    :: else
    fi;
    goto finished;
dying:
    atomic { queued[me] = 0; dead[me] = 1; FORGET; UNHOOK };
    die();
finished:
    FORGET
}
#endif
