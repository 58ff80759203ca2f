"""The arbiter: says by numbers alone which side of a check departs from the mathematics."""
