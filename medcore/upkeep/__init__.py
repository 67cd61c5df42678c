"""What whoever runs an installation needs: is it well, what does it do, what is wrong with it, and a copy of all of it.

It may know every room but the pages and computes nothing about patients.
"""
