"""Look over an installation: one function a check, each says what it saw and, where it is not right, what to do."""
