-- The fixed mix: of ten requests, nine look at a card, each another player's, and one at the board.
-- MIX names a file with a cookie in each line; done() is that of the other measurements.
dofile(os.getenv("DONE"))
local cards, boards, n = {}, {}, 0
init = function()
  for cookie in io.lines(os.getenv("MIX")) do
    local headers = { ["Cookie"] = cookie, ["Host"] = "killer" }
    cards[#cards + 1] = wrk.format("GET", "/api/me", headers)
    boards[#boards + 1] = wrk.format("GET", "/api/leaderboard", headers)
  end
end
request = function()
  n = n + 1
  local mine = n % #cards + 1
  return n % 10 == 0 and boards[mine] or cards[mine]
end
