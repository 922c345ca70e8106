"""Tests that only `make test-slow` runs, because a quick test shows another case of the same kind."""

SLOW = (
    "contracts.py::test_a_fork_gives_the_same_log_in_every_host_and_continues_like_its_parent[ppo]",
    "contracts.py::test_a_killed_fork_resumes_to_the_log_of_one_never_killed[another memory]",
    "contracts.py::test_inline_thread_and_process_give_identical_logs[ppo]",
    "contracts.py::test_killed_training_resumes_to_the_log_of_a_run_never_killed[ppo]",
    "contracts.py::test_the_schedule_of_a_resumed_run_goes_on_where_it_was[process]",
    "random_streams.py::test_random_streams_are_the_same_in_every_host[pairs]",
    "random_streams.py::test_random_streams_are_the_same_in_every_host[pictures]",
    "envs/test_missing_wrappers.py::test_the_line_of_an_error_works[observation10",
    "envs/test_missing_wrappers.py::test_the_line_of_an_error_works[observation3",
    "envs/test_missing_wrappers.py::test_the_line_of_an_error_works[observation5",
    "envs/test_missing_wrappers.py::test_the_line_of_an_error_works[observation7",
    "envs/test_missing_wrappers.py::test_the_line_of_an_error_works[observation9",
    "envs/test_places.py::test_places_of_find_are_where_it_draws[match]",
    "envs/test_places.py::test_places_of_find_are_where_it_draws[recall]",
    "envs/test_task_facts.py::test_held_actions_are_not_tried_where_single_ones_find_something_in_the_end",
    "envs/test_tmaze.py::test_previous_action_and_reward_do_not_help_in_the_active_maze[2]",
    "gui/test_layout.py::test_a_layout_that_is_not_ours_falls_back_to_the_default",
    "gui/test_live_run.py::test_closing_at_any_moment_leaves_no_thread_no_process_and_whole_files[playing]",
    "gui/test_newcomer.py::test_a_run_that_trained_when_the_window_closed_is_offered[True]",
    "gui/test_newcomer.py::test_text_grows_and_shrinks_and_keeps_its_size",
    "gui/test_pinning_live.py::test_episodes_of_stored_resumed_and_forked_runs_are_pinned",
    "gui/test_takeover.py::test_the_demos_cart_is_driven_and_handed_back",
    "gui/test_tour.py::test_every_control_can_be_pressed_and_does_something[failed-train]",
    "gui/test_tour.py::test_every_control_can_be_pressed_and_does_something[ready-inspect]",
    "gui/test_tour.py::test_every_control_can_be_pressed_and_does_something[ready-watch]",
    "gui/test_tour.py::test_every_control_can_be_pressed_and_does_something[starting-train]",
    "gui/test_tour.py::test_every_control_can_be_pressed_and_does_something[stopping-train]",
    "gui/test_tour.py::test_every_control_can_be_pressed_and_does_something[stored-inspect]",
    "gui/test_tour.py::test_every_control_can_be_pressed_and_does_something[stored-watch]",
    "gui/test_window.py::test_a_signal_saves_the_run_and_leaves_no_process[thread-2]",
    "jobs/test_bounded_evaluation.py::test_a_command_in_a_confirmation_leaves_no_trace[2]",
    "jobs/test_bounded_evaluation.py::test_pause_interrupts_a_slow_evaluation_at_once[process]",
    "jobs/test_breakpoints.py::test_a_resumed_run_has_no_breakpoints_but_remembers_the_last_returns",
    "jobs/test_forking.py::test_a_fork_with_another_seed_differs_and_repeats_itself",
    "jobs/test_forking.py::test_a_run_frees_the_state_from_which_it_continues[resumed]",
    "jobs/test_study.py::test_an_untrained_agent_holds_no_fact_better_than_others_and_uses_none[recall",
    "lab/test_second_player.py::test_without_a_change_two_processes_play_the_same_episode_bit_for_bit",
    "lab/test_suited_agent.py::test_attention_follows_the_task",
    "nets/test_rows.py::test_what_only_the_order_tells_is_learned_of_rows_and_not_of_a_set[ordered]",
    "runs/test_resuming.py::test_killed_at_any_operation_on_the_disk",
)
"""Ends of the files' names and beginnings of the tests' names."""


def is_slow(nodeid: str) -> bool:
    """Whether a test is one of them."""
    return any(f"test_{each}" in nodeid or each in nodeid for each in SLOW)
