"""The parts of ``gpu_checklist.sh``: they need torch, triton and numpy, and nothing else."""
