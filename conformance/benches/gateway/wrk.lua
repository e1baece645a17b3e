-- So many requests, each with the next token of the file; a file of one token gives it again and again.
local tokens, asked, most = {}, 0, 0

function init(arguments)
  local path = arguments[1]
  most = tonumber(arguments[2])
  for line in io.lines(path) do tokens[#tokens + 1] = "Bearer " .. line end
end

function request()
  asked = asked + 1
  if asked >= most then wrk.thread:stop() end
  local headers = {}
  if #tokens > 0 then headers["Authorization"] = tokens[(asked - 1) % #tokens + 1] end
  return wrk.format("GET", nil, headers)
end

function done(summary)
  local errors = summary.errors
  local failed = errors.status + errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format("counted %d %d\n", summary.requests, failed))
end
