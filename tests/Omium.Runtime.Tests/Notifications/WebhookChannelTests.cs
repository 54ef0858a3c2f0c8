using System.Text;
using Microsoft.Extensions.Configuration;
using Omium.Runtime.Effects.Notifications;
using Xunit;

namespace Omium.Runtime.Tests.Notifications;

/// <summary>Webhooks: the signature that receivers check, and the options that name the channels. Delivery is played end to end (S17).</summary>
public sealed class WebhookChannelTests
{
    /// <summary>The example of the Standard Webhooks specification.</summary>
    [Fact]
    public void Sign_TheSpecificationsExample_IsTheSpecificationsSignature() => Assert.Equal(
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        WebhookChannel.Sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, "{\"test\": 2432232314}"u8));

    [Fact]
    public void Sign_AnotherBodyTimeOrSecret_IsAnotherSignature()
    {
        string[] signatures =
        [
            WebhookChannel.Sign("secret", "m", 1, "{}"u8), WebhookChannel.Sign("secret", "m", 1, "[]"u8), WebhookChannel.Sign("secret", "m", 2, "{}"u8),
            WebhookChannel.Sign("secret", "n", 1, "{}"u8), WebhookChannel.Sign("other", "m", 1, Encoding.UTF8.GetBytes("{}")),
        ];
        Assert.Equal(signatures.Length, signatures.Distinct().Count());
    }

    [Fact]
    public void From_ChannelsNamed_EachHasItsAddress_OneWithoutEndsTheStart()
    {
        var channels = WebhookOptions.From(Of(("OMIUM_NOTIFY_CHANNELS", "ops, on-call"), ("OMIUM_NOTIFY_OPS_URL", "https://ops.example/hook"), ("OMIUM_NOTIFY_ON_CALL_URL", "http://pager.example/"), ("OMIUM_NOTIFY_ON_CALL_SECRET", "s")));
        Assert.Equal([("ops", null), ("on-call", "s")], channels.Select(channel => (channel.Name, channel.Secret)));
        Assert.Empty(WebhookOptions.From(Of()));
        var missing = Assert.Throws<InvalidOperationException>(() => WebhookOptions.From(Of(("OMIUM_NOTIFY_CHANNELS", "ops"))));
        Assert.Contains("OMIUM_NOTIFY_OPS_URL", missing.Message, StringComparison.Ordinal);
    }

    private static IConfigurationRoot Of(params (string Name, string Value)[] values) =>
        new ConfigurationBuilder().AddInMemoryCollection(values.ToDictionary(pair => pair.Name, string? (pair) => pair.Value)).Build();
}
