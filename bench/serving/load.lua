-- What wrk sends: wrk ... -s load.lua URL -- MODE TEXTS_FILE RUN
--   MODE   uncached (every text new), cached (20 hot texts), mixed (80 % hot), batch (100 new texts),
--          explain (every text new, and why it was judged so)
--   TEXTS  one payload a line, escaped as inside a JSON string
--   RUN    a word that no other run uses: part of each new text
-- Prints one line of JSON when done. Answers other than 200 are counted as failures.

local HOT, HOT_SHARE, BATCH = 20, 0.8, 100
local texts, mode, run, host, sent = {}, nil, nil, nil, 0

function init(args)
  mode, run, host = args[1], args[3], wrk.headers["Host"]
  for line in io.lines(args[2]) do texts[#texts + 1] = line end
  math.randomseed(1)
end

local function post(path, body)
  return "POST /api/v1/sentinel/" .. path .. " HTTP/1.1\r\nHost: " .. host ..
    "\r\nContent-Type: application/json\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body
end

local function hot()
  return '{"payload":"' .. texts[sent % HOT + 1] .. '"}'
end

local function new()
  sent = sent + 1
  return '{"payload":"' .. texts[sent % #texts + 1] .. " " .. run .. sent .. '"}'
end

local function batch()
  local items = {}
  for index = 1, BATCH do items[index] = new() end
  return '{"payloads":[' .. table.concat(items, ",") .. "]}"
end

local makers = {
  uncached = function() return post("predict-payload", new()) end,
  cached = function()
    sent = sent + 1
    return post("predict-payload", hot())
  end,
  mixed = function()
    if math.random() >= HOT_SHARE then return post("predict-payload", new()) end
    sent = sent + 1
    return post("predict-payload", hot())
  end,
  explain = function() return post("predict-payload", new():sub(1, -2) .. ',"explain":true}') end,
  batch = function() return post("predict-payload/batch", batch()) end,
}

function request() return makers[mode]() end

function done(summary, latency)
  local errors = summary.errors
  local percentiles = {}
  for _, p in ipairs({ 50, 75, 90, 95, 99, 99.9, 99.99 }) do
    percentiles[#percentiles + 1] = string.format('"%s":%d', p, latency:percentile(p))
  end
  io.write(string.format(
    '{"requests":%d,"microseconds":%d,"status":%d,"broken":%d,"percentiles":{%s}}\n',
    summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout, table.concat(percentiles, ",")))
end
