{
  name: "Advanced Automation",
  type: "advanced",
  steps: [
    { id: "setup", action: "wait", delay: 10000 },
    { id: "prompt", action: "add_prompt", delay: 0 },
    { id: "activate_auto", action: "activate_continuous_swipe", delay: 0 },
    // These run in parallel to the main flow
    { id: "update_bio_later", action: "add_bio", delay: 7200000, parallel: true },
    { id: "refresh_prompt", action: "add_prompt", delay: 14400000, parallel: true }
  ]
}
