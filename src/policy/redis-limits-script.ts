import type { RedisScript } from "./redis-store.ts";

/**
 * The counting of base/limits/limit-state.ts in Lua, which Redis runs in one step: the names and the
 * arithmetic are the same, and a test holds both to the same results. A state is three doubles: since,
 * used, before.
 *
 * KEYS: one for each limit. ARGV: what to do (take, peek, charge, refund), the time in epoch milliseconds
 * (empty: the server's own), and for each limit its algorithm, limit, window, refill and the cost.
 *
 * Returns 1 when all limits allow, else 0, and for each limit whether it allows, what remains, the time until
 * all is there again and until the cost would be allowed (milliseconds, -1 for never). Numbers are strings,
 * because Redis cuts off the fractions of numbers.
 *
 * A key goes away by itself when its state says no more than none would.
 */
export const limitsScript: RedisScript = {
  text: `
local TOKEN_BUCKET, FIXED_WINDOW, SLACK = 2, 0, 1e-6
local op = ARGV[1]
local now = tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

local function load(key, rule)
  local packed = redis.call('GET', key)
  local state = {}
  if packed then
    state.since, state.used, state.before = struct.unpack('ddd', packed)
  end
  if not packed or state.since - now > rule.window then
    local isBucket = rule.algorithm == TOKEN_BUCKET
    state.since = isBucket and now or now - math.fmod(now, rule.window)
    state.used, state.before = 0, 0
  elseif rule.algorithm == TOKEN_BUCKET then
    if now > state.since then
      state.used = math.max(0, state.used - (now - state.since) * rule.refill / rule.window)
      state.since = now
    end
  elseif now - state.since >= rule.window then
    local start = now - math.fmod(now, rule.window)
    local isNext = start - state.since == rule.window and rule.algorithm ~= FIXED_WINDOW
    state.before = isNext and state.used or 0
    state.used = 0
    state.since = start
  end
  return state
end

local function elapsedOf(state)
  return math.max(0, now - state.since)
end

local function usedOf(state, rule)
  if state.before == 0 then return state.used end
  return state.used + state.before * (1 - elapsedOf(state) / rule.window)
end

local function resetOf(state, rule)
  if rule.algorithm == TOKEN_BUCKET then return state.used * rule.window / rule.refill end
  local leftMs = rule.window - elapsedOf(state)
  if rule.algorithm == FIXED_WINDOW then return state.used == 0 and 0 or leftMs end
  if state.used > 0 then return rule.window + leftMs end
  return state.before == 0 and 0 or leftMs
end

local function retryOf(state, rule)
  local room = rule.limit - rule.cost
  if room < 0 then return -1 end
  if rule.algorithm == TOKEN_BUCKET then
    return (state.used - room) * rule.window / rule.refill
  end
  local leftMs = rule.window - elapsedOf(state)
  if rule.algorithm == FIXED_WINDOW then return leftMs end
  if state.used <= room then return leftMs - (room - state.used) / state.before * rule.window end
  return leftMs + (1 - room / state.used) * rule.window
end

local function add(state, cost)
  state.used = state.used + cost
  if state.used < 0 then
    state.before = math.max(0, state.before + state.used)
    state.used = 0
  end
end

local rules, states, all = {}, {}, true
for i, key in ipairs(KEYS) do
  local at = 2 + (i - 1) * 5
  local rule = {
    algorithm = tonumber(ARGV[at + 1]),
    limit = tonumber(ARGV[at + 2]),
    window = tonumber(ARGV[at + 3]),
    refill = tonumber(ARGV[at + 4]),
    cost = tonumber(ARGV[at + 5]),
  }
  local state = load(key, rule)
  state.allows = rule.cost <= rule.limit - usedOf(state, rule) + SLACK
  state.retry = state.allows and 0 or retryOf(state, rule)
  all = all and state.allows
  rules[i], states[i] = rule, state
end

local answer = { all and 1 or 0 }
for i, key in ipairs(KEYS) do
  local rule, state = rules[i], states[i]
  local cost = rule.cost
  if op == 'refund' then cost = -cost end
  local isChange = cost ~= 0 and (op == 'charge' or op == 'refund' or (op == 'take' and all))
  if isChange then
    add(state, cost)
    local reset = math.ceil(resetOf(state, rule))
    if reset > 0 then
      redis.call('SET', key, struct.pack('ddd', state.since, state.used, state.before), 'PX', reset)
    else
      redis.call('DEL', key)
    end
  end
  answer[#answer + 1] = state.allows and '1' or '0'
  answer[#answer + 1] = string.format('%.17g', math.max(0, rule.limit - usedOf(state, rule)))
  answer[#answer + 1] = string.format('%.17g', resetOf(state, rule))
  answer[#answer + 1] = string.format('%.17g', state.retry)
end
return answer
`,
};
