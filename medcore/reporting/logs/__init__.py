"""A run's progress and settings for other programs: TensorBoard files, an MLflow server."""
