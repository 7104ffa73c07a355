import timings
from reinforge.systems.tabular.step import step


def test_the_timed_loop_is_the_default_one_from_its_first_policy_gradient_on():
    learner, real = timings._learner(seed=0)
    assert len(real.level) == 500
    assert learner.config.steps_before == 0
    assert learner.config.discriminator_steps == 2
    told = step(learner, real, 0, seed=0)
    assert {"reward", "discriminator_loss"} <= set(told)
