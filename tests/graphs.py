"""Graphs in ONNX's textual form."""

VOICE = """
voice (float[batch, T] input, float[2, batch, 3] state, int64 sr) => (float[batch] output, float[2, batch, 3] stateN) {
    axis = Constant<value = int64[1] {1}>()
    sum = ReduceSum<keepdims = 0>(input, axis)
    rate = Cast<to = 1>(sr)
    output = Div(sum, rate)
    one = Constant<value = float {1.0}>()
    stateN = Add(state, one)
}
"""
"""The sum of a sound over its rate, beside a state that counts: the batch is the first axis, and the second one."""
