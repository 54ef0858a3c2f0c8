using System.Text.Json;
using Omium.Kernel.Resources;

namespace Omium.Kernel.Specs.Reading;

/// <summary>Reads what a step shares with other executions: <c>locks</c>, <c>reads</c>, <c>writes</c>, <c>lock_lease</c>.</summary>
internal static class SharedReader
{
    public static SharedSpec? Read(ObjectReader step)
    {
        var lease = step.Duration("lock_lease");
        var shared = new SharedSpec { Locks = ReadLocks(step), Reads = ReadReads(step), Writes = ReadWrites(step) };
        if (lease is { } wanted && (wanted < TimeSpan.FromSeconds(1) || wanted > TimeSpan.FromHours(24)))
        {
            step.Findings.Error(SpecCodes.OutOfBounds, step.At("lock_lease"), "A lease lies between one second and 24 hours.", "Write 10m, or leave it out.");
        }

        return shared is { Locks.Count: 0, Reads.Count: 0, Writes.Count: 0 } ? null : shared with { Lease = lease ?? shared.Lease };
    }

    private static List<SharedName> ReadLocks(ObjectReader step) =>
        [.. step.Items("locks").Select(item => Name(item.Item, item.Pointer, "a scope", step.Findings)).OfType<SharedName>()];

    /// <summary>A list of keys, each called as its field; or an object of names and keys.</summary>
    private static List<StateReadSpec> ReadReads(ObjectReader step)
    {
        var reads = new List<StateReadSpec>();
        if (step.Any("reads") is not { } source)
        {
            return reads;
        }

        if (source.ValueKind == JsonValueKind.Object)
        {
            foreach (var (name, value, pointer) in step.Members("reads"))
            {
                if (Name(value, pointer, "a key", step.Findings) is { } key)
                {
                    Add(name, key);
                }
            }
        }
        else
        {
            foreach (var (item, pointer) in step.Items("reads"))
            {
                if (Name(item, pointer, "a key", step.Findings) is { } key)
                {
                    Add(key.Text[(key.Text.LastIndexOf('#') + 1)..], key);
                }
            }
        }

        return reads;

        void Add(string name, SharedName key)
        {
            if (!StateKey.IsField(name))
            {
                step.Findings.Error(
                    SpecCodes.InvalidStateKey, key.Pointer, $"Expressions cannot call this value \"{ObjectReader.Shorten(name)}\".",
                    "Write scope#name with a plain name, such as customer/42#name, or an object {name: key}.");
            }
            else if (reads.Exists(known => known.Name == name))
            {
                step.Findings.Error(
                    SpecCodes.DuplicateId, key.Pointer, $"Two values are read as \"{name}\".", "Write \"reads\" as an object, with a name of its own for each: {old_name: key, new_name: key}.");
            }
            else
            {
                reads.Add(new StateReadSpec(name, key));
            }
        }
    }

    private static List<StateWriteSpec> ReadWrites(ObjectReader step)
    {
        var writes = new List<StateWriteSpec>();
        foreach (var (item, pointer) in step.Items("writes"))
        {
            if (item.ValueKind == JsonValueKind.String)
            {
                writes.Add(new StateWriteSpec(new SharedName(item.GetString()!, pointer), null));
            }
            else if (ObjectReader.Open(item, pointer, "a write that is no text", step.Findings) is { } write)
            {
                write.RequireMember("key");
                write.RequireMember("value");
                var (key, value) = (write.Text("key"), write.Text("value"));
                write.Close();
                if (key is not null && value is not null)
                {
                    writes.Add(new StateWriteSpec(new SharedName(key, write.At("key")), value));
                }
            }
        }

        return writes;
    }

    private static SharedName? Name(JsonElement value, string pointer, string what, FindingList findings)
    {
        if (value.ValueKind == JsonValueKind.String)
        {
            return new SharedName(value.GetString()!, pointer);
        }

        ObjectReader.ReportType(value, pointer, $"{what} must be a text", findings);
        return null;
    }
}
