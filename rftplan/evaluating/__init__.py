"""What a model scores on rows that stay here: asks it about every row, grades what it says, and keeps both, so that
nothing is asked twice. Decides nothing about a model; knows no spec and no lock.
"""
