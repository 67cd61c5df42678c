"""What is done to whole studies: taken along as one file, removed for good, sealed anew."""
