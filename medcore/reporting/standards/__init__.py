"""What a reviewer asks: the items of TRIPOD+AI, PROBAST's questions, a study's own limits.

May know formats; the parts of a report know nothing of it.
"""
