"""What whoever runs the pipeline asks: is this machine ready, how far is the run, when will it end."""
