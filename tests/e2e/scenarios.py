"""The list of scenarios. A scenario is a function with a sentence; it gets a World and raises Failure."""

SCENARIOS = []


def scenario(sentence, daemon=True, parallel=True):
    """Registers a scenario. `daemon`: start one first. `parallel`: others may run beside it."""

    def register(function):
        SCENARIOS.append((sentence, function, daemon, parallel))
        return function

    return register
