"""Statistics of experiments: arrays of cells in, arrays of answers out, nothing random, no I/O."""
