"""Photos to answers: what decoding may cost, the model and its chains, and the command line and service over them."""
