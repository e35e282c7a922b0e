"""Changes the decision core one small step at a time and tells which changes nothing notices: `hydatis mutate`."""
