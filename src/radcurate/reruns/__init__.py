"""What a change runs again, and why: code and packages of a stage, the state of the input, reasons in words."""
