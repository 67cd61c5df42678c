"""What the Train, Evaluate and Patient pages show of models that predict a number."""
