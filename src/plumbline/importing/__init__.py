"""What other tools know, written into the inbox, where landing judges it like anything else."""
