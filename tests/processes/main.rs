//! The library's promises between real processes.
//!
//! | file | what is in it |
//! |---|---|
//! | `exclusion` | one at a time, in turn, and who it is |
//! | `death` | what the next owner of a mutex learns |
//! | `news` | deaths of members, as `wait_death` tells them |
//! | `roster` | many processes, many threads, slots used again |
//! | `fork` | children, and children of children |
//! | `exec` | programs replaced; equal ids in two namespaces |
//! | `waiting` | forks, execs and ends of threads that wait or hold something else than a mutex |
//! | `rings` | what the killed leave in rings |
//! | `signals` | handlers that run during a wait |
//! | `sandbox` | the same where `futex_waitv` is missing or forbidden |
//! | `birth` | names, modes, owners, and makers that die |
//! | `ephemeral` | segments that go with their last member |
//! | `fight` | the same where everybody comes and goes at once |
//! | `home` | home segments, and processes that leave |
//! | `lifetimes` | what keeps an object, and what ends it |
//! | `growth` | taking more memory, side by side |
//! | `full` | file systems and segments without room |
//! | `hostile` | segments that somebody damaged, |
//! | `hostile_space` | in their blocks, lists, chains and logs, |
//! | `hostile_roster` | in what members and participants have left, |
//! | `hostile_waiting` | and in what threads wait for |
//! | `scene` | what the tests begin with |
//!
//! Arguments choose tests by parts of their names: `cargo test --test processes -- fork`.

#[path = "../support/mod.rs"]
mod support;

mod birth;
mod death;
mod ephemeral;
mod exclusion;
mod exec;
mod fight;
mod fork;
mod full;
mod growth;
mod home;
mod hostile;
mod hostile_roster;
mod hostile_space;
mod hostile_waiting;
mod lifetimes;
mod news;
mod odd_forks;
mod rings;
mod roster;
mod sandbox;
mod scene;
mod signals;
mod waiting;

use std::process::ExitCode;

use support::runner::{run, tests};

fn main() -> ExitCode {
    run(&tests! {
        exclusion: sections_never_overlap, threads_and_processes_mix, a_recursive_mutex_counts,
            a_holder_is_refused_its_own_mutex, only_the_holder_unlocks,
            waits_end_after_their_time, the_owner_is_named, every_waiter_is_served,
            hand_overs_need_no_slice;
        death: a_killed_holder_is_told_until_marked, a_dead_holder_needs_no_waiting,
            a_sleeping_waiter_takes_over, all_sleeping_waiters_take_over_in_turn,
            a_killed_recursive_holder_leaves_no_count, a_thread_that_ends_holding_is_dead,
            killed_waiters_are_in_nobodys_way, all_locks_of_the_dead_are_free,
            a_process_that_exits_holding_is_dead, take_overs_need_no_slice;
        news: a_death_is_told_with_its_number, deaths_are_told_in_order, good_ends_are_no_deaths,
            an_exit_in_the_middle_of_work_is_no_death,
            ends_in_bad_order_are_deaths, a_wait_ends_after_its_time, every_sleeper_is_told,
            a_crowd_is_watched_too, a_reader_cannot_wait, news_survive_until_a_slot_is_used_again,
            news_outlive_many_who_join;
        roster: slots_are_used_again, the_roster_grows, a_thousand_processes_at_once,
            a_full_roster_says_so, ten_thousand_short_threads, handles_come_and_go_in_threads,
            a_reader_may_verify_during_growth;
        fork: a_child_holds_nothing, locks_of_other_threads_stay_theirs, a_child_points_at_no_lock, a_child_is_a_member,
            a_grandchild_too,
            a_parents_death_is_told_though_its_child_lives, a_daemon_is_alive, a_daemon_of_a_nameless_segment_goes_on,
            forks_while_threads_churn, forks_while_threads_join, a_hundred_segments,
            creators_exclude_each_other_after_a_fork, a_fork_during_the_first_call;
        odd_forks: a_fork_without_hooks_works, a_raw_clone_is_refused,
            spawned_programs_change_nothing, a_child_that_was_not_expected_joins_by_itself,
            a_fork_that_only_execs_is_no_death;
        exec: a_holder_that_execs_is_dead, a_thread_that_execs_is_dead,
            equal_ids_are_two_owners, a_killed_waiter_with_the_holders_id_changes_nothing,
            a_slot_used_again_under_the_same_id_is_noticed;
        signals: a_handler_ends_a_wait, a_restarting_handler_does_not,
            a_stopped_process_waits_on, a_handler_ends_a_wait_for_news,
            a_call_from_a_handler_is_refused;
        waiting: a_child_reads_nothing_that_its_parent_reads, a_child_has_no_permits_of_its_parents,
            a_thread_that_ends_reading_is_in_nobodys_way, a_thread_that_ends_writing_is_dead,
            a_thread_that_ends_leaves_its_permits_to_the_others, a_process_that_execs_holds_nothing,
            killed_sleepers_are_in_nobodys_way, a_thread_that_ends_inside_breaks_the_barrier;
        rings: what_a_killed_producer_has_put_stays, a_killed_producer_leaves_its_lane,
            what_the_killed_had_in_the_hand_goes_to_another,
            a_sleeping_getter_gets_what_the_killed_had, a_killed_getter_is_in_nobodys_way,
            a_child_has_no_ends_and_nothing_in_the_hand;
        sandbox: without_waitv, with_waitv_forbidden, with_waitv_forbidden_after_its_first_use;
        birth: modes_are_exact, other_users_need_leave, a_sticky_directory_protects_names,
            names_are_taken_once, a_killed_maker_leaves_nothing, unnamed_files_may_be_missing,
            unnamed_files_may_be_impossible_to_name, abandoned_files_are_removed,
            traps_among_abandoned_files_are_not_opened,
            a_living_makers_file_is_left_alone, one_maker_wins;
        ephemeral: it_goes_with_the_last_close, others_stay, it_goes_with_the_last_exit,
            it_goes_with_those_who_exit_together, who_makes_one_removes_what_the_dead_left,
            collection_removes_what_the_dead_left, a_forked_child_keeps_it,
            a_reader_keeps_nothing, a_half_removed_one_is_removed, other_files_are_left_alone,
            who_may_not_remove_it_leaves_it;
        home: a_home_goes_with_its_process, a_process_has_one_home, a_home_fits_its_process,
            who_leaves_does_not_die, who_leaves_under_its_threads_is_parting;
        fight: nobody_is_in_a_destroyed_segment;
        lifetimes: an_anonymous_object_goes_with_its_last_handle, a_named_object_stays,
            the_death_of_the_last_holder_frees_it, a_removed_object_stays_for_its_holders,
            a_ticket_carries_an_object_to_another_process, a_ticket_goes_with_who_wrote_it,
            a_child_keeps_what_its_parent_closes, a_child_keeps_what_its_killed_parent_had,
            a_child_that_was_not_expected_takes_its_share, a_child_that_comes_too_late_is_told,
            a_hundred_thousand_rounds_leave_memory_flat,
            killed_in_the_middle_of_it_nothing_is_lost;
        growth: several_processes_grow_where_there_is_little, several_processes_grow_to_the_size,
            blocks_of_every_size, a_huge_array_comes_again_without_growth,
            more_than_there_is_takes_nothing;
        full: a_full_file_system_is_an_error, no_inodes_is_the_same_error,
            growth_to_the_brim_loses_nothing, a_segment_at_its_size_loses_nothing,
            a_foreign_file_in_a_full_system_is_no_fault, a_size_limit_is_an_error;
        hostile: files_that_are_no_segments, each_field_of_the_header_damaged,
            single_bytes_damaged;
        hostile_space: each_word_of_the_blocks_damaged, each_word_that_rules_the_space_damaged,
            logs_of_the_space_with_garbage, damage_to_the_space_is_found_out,
            chains_that_loop_or_lead_astray;
        hostile_roster: each_word_of_the_roster_damaged, logs_of_the_dead_with_garbage,
            a_sound_log_of_the_dead_is_undone, repairers_that_do_not_exist,
            damage_to_the_roster_is_found_out;
        hostile_waiting: each_word_of_what_is_waited_for_damaged;
    })
}
