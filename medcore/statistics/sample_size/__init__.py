"""How many patients: to make a model (Riley) and to judge one (Riley, Archer), of classes and of numbers."""
