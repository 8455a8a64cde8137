steps: [
  { id: "check", action: "wait", delay: 0 },
  { id: "skip_to_end", action: "goto", nextStep: "finish", delay: 0 },
  { id: "middle_steps", action: "wait", delay: 5000 },
  { id: "finish", action: "add_bio", delay: 0 }
]
