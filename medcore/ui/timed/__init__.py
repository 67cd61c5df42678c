"""What the Train and Patient pages show of models that say by when an event comes."""
