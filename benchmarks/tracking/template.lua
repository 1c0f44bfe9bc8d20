-- Requests from one template: {n} is another number each time, {run} a run drawn by chance.
-- Arguments: method, file with the path, file with the body, file with runs, first number.
local paths, bodies, runs, number, numbered, drawn, kind

local function text(name)
  local file = assert(io.open(name, "rb"))
  local found = file:read("*a")
  file:close()
  return found
end

function init(arguments)
  kind, paths, bodies = arguments[1], text(arguments[2]), text(arguments[3])
  runs = {}
  for run in io.lines(arguments[4]) do runs[#runs + 1] = run end
  number = tonumber(arguments[5])
  math.randomseed(number)
  numbered = { [paths] = paths:find("{n}", 1, true), [bodies] = bodies:find("{n}", 1, true) }
  drawn = { [paths] = paths:find("{run}", 1, true), [bodies] = bodies:find("{run}", 1, true) }
  wrk.headers["Content-Type"] = "application/json"
end

local function filled(template, run)
  local found = template
  if numbered[template] then found = found:gsub("{n}", string.format("%d", number)) end
  if drawn[template] then found = found:gsub("{run}", run) end
  return found
end

function request()
  number = number + 1
  local run = runs[math.random(#runs)]
  if kind == "GET" then return wrk.format("GET", filled(paths, run)) end
  return wrk.format(kind, filled(paths, run), nil, filled(bodies, run))
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'measured {"requests": %d, "duration_us": %d, "mean_us": %.1f, "p50_us": %d, "p99_us": %d, "max_us": %d, '
      .. '"bytes": %d, "refused": %d, "broken": %d}\n',
    summary.requests, summary.duration, latency.mean, latency:percentile(50), latency:percentile(99), latency.max,
    summary.bytes, errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
