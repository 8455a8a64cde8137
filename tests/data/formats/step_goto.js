{
  id: "loop_back",
  action: "goto",
  delay: 0,
  nextStep: "target_step_id",  // Required: ID of step to jump to
  description: "Loop back to swipe"
}
