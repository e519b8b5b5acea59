-- The workload of the Lua benchmark: tables, strings, closures, metatables; no coroutines, no errors thrown.
-- `lua work.lua [ROUNDS]`; prints what it computed, so that runs can be compared byte for byte.
local rounds = tonumber(arg[1] or "1")

local function sieve(limit)
  local composite, primes = {}, {}
  for i = 2, limit do
    if not composite[i] then
      primes[#primes + 1] = i
      for j = i * i, limit, i do composite[j] = true end
    end
  end
  return primes
end

local function words(count)
  local seed, list = 12345, {}
  for i = 1, count do
    local letters = {}
    seed = (seed * 1103515245 + 12345) % 2147483648
    for k = 1, 3 + seed // 65536 % 6 do
      seed = (seed * 1103515245 + 12345) % 2147483648
      letters[k] = string.char(97 + seed // 65536 % 26)
    end
    list[i] = table.concat(letters)
  end
  return list
end

-- Vectors with operators from a metatable.
local Vector = {}
Vector.__index = Vector
Vector.__add = function(a, b) return setmetatable({ a[1] + b[1], a[2] + b[2], a[3] + b[3] }, Vector) end
Vector.__mul = function(a, k) return setmetatable({ a[1] * k, a[2] * k, a[3] * k }, Vector) end
function Vector:length() return math.sqrt(self[1] ^ 2 + self[2] ^ 2 + self[3] ^ 2) end

local function orbit(steps)
  local place = setmetatable({ 1.0, 0.0, 0.0 }, Vector)
  local speed = setmetatable({ 0.0, 0.8, 0.3 }, Vector)
  for _ = 1, steps do
    local distance = place:length()
    speed = speed + place * (-0.001 / distance ^ 3)
    place = place + speed * 0.001
  end
  return string.format("%.12f", place:length())
end

local function queens(size)
  local columns, up, down, found = {}, {}, {}, 0
  local function place(row)
    if row > size then found = found + 1 return end
    for column = 1, size do
      local u, d = row + column, row - column
      if not (columns[column] or up[u] or down[d]) then
        columns[column], up[u], down[d] = true, true, true
        place(row + 1)
        columns[column], up[u], down[d] = nil, nil, nil
      end
    end
  end
  place(1)
  return found
end

local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end

for round = 1, rounds do
  local primes = sieve(300000)
  print("primes", #primes, primes[#primes])

  local list, counts = words(40000), {}
  for _, word in ipairs(list) do counts[word] = (counts[word] or 0) + 1 end
  table.sort(list)
  local text = table.concat(list, " ", 1, 20000)
  local capital, replaced = text:gsub("(%a)(%a*)", function(first, rest) return first:upper() .. rest end)
  print("words", list[1], list[#list], #text, replaced, capital:sub(1, 40), select(2, text:gsub("a[b-m]", "")))

  print("orbit", orbit(150000))
  print("queens", queens(8))
  print("fib", fib(27))

  local parts = {}
  for i = 1, 20000 do parts[i] = string.format("%05d:%x:%q", i, i * 7919 % 65536, "v" .. i) end
  print("format", #table.concat(parts, "\n"), round)
end
