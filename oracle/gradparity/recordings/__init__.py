"""Recordings: TensorFlow's answers as text, so that checks can be judged without TensorFlow."""
