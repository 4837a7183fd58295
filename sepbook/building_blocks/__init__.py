"""The parts that separation networks are made of, one module per page of the chapter Building blocks."""
