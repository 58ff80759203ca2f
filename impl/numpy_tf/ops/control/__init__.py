"""Control flow: branches, loops, calls of functions, and the lists that carry their values.

All of it is functional, as TensorFlow 2's is: an operation holds the bodies that it computes
as graphs of their own. What TensorFlow 1 (`behavior.control_flow_v2` False) does otherwise,
as far as a program can see it, is done there too, each in its place:

  cond        a tensor that both branches take has a gradient of each, and these are added:
              IndexedSlices get rows of zeros, and beside a dense one they are densified
  cond        each output has its own path back: None, not 0, for what it does not depend on
  cond        a list of one result is unpacked unless `strict`; errors are of other classes
  while_loop  the second derivative, and one built within another loop, are refused
  while_loop  each output has its own path back, as above
  while_loop  what the body takes from outside has a sum of its own; as IndexedSlices it
              begins with a row of zeros (TensorFlow 2's is dense)
  while_loop  the gradient of a result that is IndexedSlices goes round as such
  while_loop  a gradient in the body that leads through an initial value is refused by name
  while_loop  gradients keep the static shapes that they begin with
  both        names within bodies can be found from outside; stop_gradients, xs and ys may
              name them, and a gradient in a branch that is not taken has no value
  both        gradients may be built after a session ran the operation
  TensorArray may not be written twice in one place; rows gathered are of unknown number
"""
