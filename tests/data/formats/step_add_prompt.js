{
  id: "add_prompt",
  action: "add_prompt",
  delay: 0,
  model: "Lola",      // Optional: defaults to account model
  channel: "gram",    // Optional: defaults to account channel
  critical: true      // Optional: fail workflow if this fails
}
