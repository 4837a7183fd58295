"""What a network is trained to minimise, one module per page of the chapter Losses and targets."""
