"""The simulated company: goes on living hour by hour while the stack is up; started by the demo."""

from infra.stack.programs.program import Place, Program


def program(place: Place) -> Program:
    """The company's clock; not started with the others."""
    return Program(
        name="world",
        title="The simulated company",
        command=[str(place.python), "-m", "infra.world", "live"],
        environment={"PYTHONPATH": str(place.config.repository), "OMP_NUM_THREADS": "1"},
        ready=lambda _started: None,
    )
