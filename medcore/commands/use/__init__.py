"""Commands about models in use: released, taken back, served, watched."""
