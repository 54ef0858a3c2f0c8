using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.Json;
using Omium.Kernel.Executions;

namespace Omium.Kernel.Tests.Executions;

/// <summary>A full textual dump of a state: every property of every part, dictionaries and sets in order of their keys.</summary>
internal static class StateDump
{
    public static string Of(object? value)
    {
        var text = new StringBuilder();
        Write(text, value, 0);
        return text.ToString();
    }

    private static void Write(StringBuilder text, object? value, int depth)
    {
        switch (value)
        {
            case null:
                text.Append("null");
                return;
            case string or bool or Enum or Omium.Kernel.Executions.EffectId or Omium.Kernel.Executions.VisitKey:
                text.Append(CultureInfo.InvariantCulture, $"{value}");
                return;
            case JsonElement element:
                text.Append(element.ValueKind == JsonValueKind.Undefined ? "undefined" : element.GetRawText());
                return;
            case VisitDictionary visits:
                WriteAll(text, visits.Select(visit => $"{Of(visit.Key)}: {Of(visit.Value)}").Order(StringComparer.Ordinal), depth);
                return;
            case IDictionary dictionary:
                WriteAll(text, dictionary.Keys.Cast<object>().Select(key => $"{Of(key)}: {Of(dictionary[key])}").Order(StringComparer.Ordinal), depth);
                return;
            case IEnumerable sequence:
                var items = sequence.Cast<object?>().Select(Of);
                WriteAll(text, value.GetType().Name.Contains("HashSet", StringComparison.Ordinal) ? items.Order(StringComparer.Ordinal) : items, depth);
                return;
            case IFormattable scalar when value.GetType().IsPrimitive:
                text.Append(scalar.ToString(null, CultureInfo.InvariantCulture));
                return;
        }

        var type = value.GetType();
        var members = type.FullName!.StartsWith("System.ValueTuple", StringComparison.Ordinal)
            ? type.GetFields().Select(field => $"{field.Name}={Of(field.GetValue(value))}")
            : type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
                .Where(property => property.GetIndexParameters().Length == 0 && property.GetCustomAttribute<System.Text.Json.Serialization.JsonIgnoreAttribute>() is null)
                .Select(property => $"{property.Name}={Of(property.GetValue(value))}");
        WriteAll(text, members, depth);
    }

    private static void WriteAll(StringBuilder text, IEnumerable<string> parts, int depth) =>
        text.Append(depth == 0 ? "{" : "{ ").AppendJoin("\n", parts).Append('}');
}
