local id = ARGV[1]
if not state(id) then
  return 0
end
remove(id)
return 1
