"""One folder for each AWS thing: wanted and observed facts, steps, simulation, and the one impure file."""
