import type { RedisScript } from "./redis-store.ts";

// The server's clock alone says what was first, a purge or what it is to purge: machines' own may differ.
const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/** ARGV: the record, its ttl in milliseconds, for how long it had been fetched. */
export const putScript: RedisScript = {
  text: `${NOW}
local since = string.format('%.0f', now - ARGV[3])
redis.call('SET', KEYS[1], since .. ':' .. ARGV[1], 'PX', ARGV[2])
return 1`,
};

/** Notes the time. ARGV: for how long, in milliseconds. */
export const purgeScript: RedisScript = {
  text: `${NOW}
redis.call('SET', KEYS[1], string.format('%.0f', now), 'PX', ARGV[1])
return 1`,
};

/** More purges of what is below addresses than so many become one of everything, the oldest of them first. */
export const PREFIXES_MAX = 64;

/**
 * Notes the time of a purge of what is below an address, beside the last one of everything, the newest first.
 * ARGV: for how long, in milliseconds, and the address. What was noted of addresses below this one it includes.
 */
export const purgeUnderScript: RedisScript = {
  text: `${NOW}
local before = redis.call('GET', KEYS[1]) or '0'
local all = tonumber(string.match(before, '^%d+'))
local lines = {string.format('%.0f', now) .. ' ' .. ARGV[2]}
for time, prefix in string.gmatch(before, '\\n(%d+) ([^\\n]*)') do
  local isIncluded = string.sub(prefix, 1, #ARGV[2]) == ARGV[2]
  if not isIncluded and now - time < tonumber(ARGV[1]) then
    if #lines < ${PREFIXES_MAX} then table.insert(lines, time .. ' ' .. prefix)
    else all = math.max(all, tonumber(time)) end
  end
end
local text = string.format('%.0f', all) .. '\\n' .. table.concat(lines, '\\n')
redis.call('SET', KEYS[1], text, 'PX', ARGV[1])
return 1`,
};

/** Keeps a lead from going away, if it is still the caller's. ARGV: its token, for how many milliseconds. */
export const renewScript: RedisScript = {
  text: `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`,
};

/** Ends a lead, if it is still the caller's. ARGV: its token; "" or what others are to be told, for how many milliseconds. */
export const settleScript: RedisScript = {
  text: `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '' then redis.call('DEL', KEYS[1])
else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1`,
};
